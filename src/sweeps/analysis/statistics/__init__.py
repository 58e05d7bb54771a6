"""Arrays and frames in, numbers out: intervals, paired tests, survival. SciPy and statsmodels do the mathematics."""
