"""In which language a client is told what is wrong: the languages, which one it asked for, and the translations."""
