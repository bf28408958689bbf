"""Random points and the classifiers of them: tolerance, separation, probes, attack sizes."""
