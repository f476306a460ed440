"""How units of work are carried out: here, in processes, or on a cluster; the same bytes. Floor 3."""
