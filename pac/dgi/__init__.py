"""The DGI's rules that need no network, no database and no clock."""
