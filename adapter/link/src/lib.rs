//! Sockets, fd passing, three framings, deadlines and the sight of death.
