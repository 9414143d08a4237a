//! A small world for unit tests: an empty database in memory, callers, and facts
//! that stand in it as the projections write them.
