"""The other side: what a competent user writes with Hydra, joblib, torch.nn, autograd and torch.optim."""
