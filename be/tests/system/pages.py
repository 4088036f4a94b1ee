"""The web pages of a running site, as a browser without scripts sees them."""

import re
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, build_opener

__all__ = ["Browser"]


class Browser:
    """Keeps cookies, follows redirects, fills in the login form."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.cookies))

    def get(self, path: str, data: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, content type and text of a page; POST where there is `data`."""
        body = urlencode(data).encode() if data is not None else None
        try:
            with self._opener.open(urljoin(self.base, path), body, timeout=60) as page:
                return page.status, page.headers["Content-Type"], page.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.headers["Content-Type"], error.read().decode()

    def login(self, username: str, password: str) -> bool:
        """True if the admin let us in."""
        self.get("/admin/login/")
        token = next(each.value for each in self.cookies if each.name == "csrftoken")
        form = {"username": username, "password": password, "csrfmiddlewaretoken": token or ""}
        status, _, _ = self.get("/admin/login/?next=/admin/", form)
        assert status == 200
        return any(each.name == "sessionid" for each in self.cookies)

    def stylesheets(self, path: str) -> list[tuple[int, str]]:
        """Status and content type of each style sheet that a page names."""
        _, _, text = self.get(path)
        sheets = [
            re.search(r'href="([^"]+)"', link)
            for link in re.findall(r"<link[^>]+stylesheet[^>]*>", text)
        ]
        return [self.get(sheet[1])[:2] for sheet in sheets if sheet]
