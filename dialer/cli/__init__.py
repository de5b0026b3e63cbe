"""The command line, thin: parse, call a service, print. Each command's module is loaded when it is called."""
