"""The W&B mirror: one offline run for each finished cell, replayed from its records; sending them to the server."""
