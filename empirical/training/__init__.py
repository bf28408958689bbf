"""Training that is a function of its seed, resumes, and says how far it is."""
