"""ComfyUI: workflows as it reads them, and pictures made on a server of it."""
