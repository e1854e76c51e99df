"""Worlds in words, for pretrained models; some need the packages of ``rewardscope[words]``."""
