"""Stand-ins for what others run: they answer as the real ones do, their errors included."""
