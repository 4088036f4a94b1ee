// Words that stand on two lines, though nothing parts them.
() => {
  const found = [];
  const texts = document.createTreeWalker(document.getElementById("content"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode, box = text.parentElement;
    if (!box.checkVisibility() || box.closest("code, pre, .lv-json, h2, p, option")) continue;
    for (const word of text.nodeValue.matchAll(/[^\s]+/g)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((part) => Math.round(part.top)));
      if (lines.size > 1) found.push(word[0]);
    }
  }
  return found;
}
