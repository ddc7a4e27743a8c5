//! What a receiver answers to one request: pure, so that no lock serialises the live path.
