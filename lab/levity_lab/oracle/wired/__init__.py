"""The wire transport: real processes, websockets and kill -9, in a world of compressed time."""
