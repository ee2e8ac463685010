"""How often something may be asked for, by address, network and site."""
