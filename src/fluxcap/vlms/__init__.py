"""Vision language models: servers and in-process ones that answer one question about one picture."""
