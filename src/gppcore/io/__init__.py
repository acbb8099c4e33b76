"""Files: durable writing, and gridded files of other producers."""
