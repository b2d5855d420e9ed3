"""The statutory forms: matching printed labels and column headings to their skeletons."""
