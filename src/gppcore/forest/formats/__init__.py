"""Readers and writers of tree ensembles that other libraries trained; none of them needs the trainer."""
