//! When a client polls, and what it does with a page.
