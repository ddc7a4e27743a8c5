//! The JSON Schema of profiles, for editors.

use super::RawProfile;

/// The schema of a profile's file. `[delivery]` and `[pull]` take the keys of `[[provider]]`, but for those that name it.
#[must_use]
pub fn profile_schema() -> schemars::Schema {
    let mut schema = schemars::schema_for!(RawProfile);
    let keys = schema.pointer_mut("/$defs/RawProvider/properties").and_then(serde_json::Value::as_object_mut);
    // Both tables refer to it; `read_profile_keys` refuses these two.
    for key in keys.into_iter().flat_map(|keys| ["name", "profile"].map(|key| keys.remove(key))) {
        debug_assert!(key.is_some(), "a key of [[provider]] has another name now");
    }
    schema
}
