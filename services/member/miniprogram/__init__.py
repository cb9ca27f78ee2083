"""Login through a WeChat mini-program: the platform says who somebody is, One ID says which member that is."""
