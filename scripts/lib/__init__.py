"""What the set-up scripts share. One noun a file; the standard library unless a file says otherwise."""
