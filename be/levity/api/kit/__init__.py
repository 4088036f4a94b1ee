"""What all resources of the API share. Imports ninja: only `levity.api.v1` imports this room."""
