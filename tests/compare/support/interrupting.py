"""For tests that interrupt a program of their own as Ctrl-C does."""

# A program that was started in the background of a shell ignores the signal, and so do those that
# it starts. To be put before such a program's own lines.
HEED_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
