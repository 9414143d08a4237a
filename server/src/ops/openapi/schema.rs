//! Messages as JSON schemas, in the form in which REST has them.

use std::collections::BTreeSet;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::super::interface::comment;

/// The schemas that operations name, with all that these name.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    done: Map<String, Value>,
    begun: BTreeSet<String>,
}

impl Schemas {
    /// A reference to a message's schema, which is added.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        let name = message.full_name();
        if self.begun.insert(name.to_owned()) {
            let fields: Vec<_> = message.fields().collect();
            let mut schema = self.object(&fields);
            schema["description"] = comment(&message.parent_file(), message.path()).into();
            self.done.insert(name.to_owned(), schema);
        }
        reference(name)
    }

    /// An object of fields.
    pub(super) fn object(&mut self, fields: &[FieldDescriptor]) -> Value {
        let properties = fields
            .iter()
            .map(|field| (field.json_name().to_owned(), self.field(field)));
        let properties: Map<_, _> = properties.collect();
        json!({"type": "object", "properties": properties})
    }

    /// The schema of a field, with its words.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Value {
        let mut schema = self.value(&field.kind());
        if field.is_map() {
            schema = json!({"type": "object", "additionalProperties": {"type": "string"}});
        } else if field.is_list() {
            schema = json!({"type": "array", "items": schema});
        }
        let words = comment(&field.parent_message().parent_file(), field.path());
        schema["description"] = words.into();
        schema
    }

    fn value(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Uint64 | Kind::Fixed64 => {
                json!({"type": "string", "format": "uint64", "pattern": "^[0-9]+$"})
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"})
            }
            Kind::Uint32 | Kind::Fixed32 => {
                json!({"type": "integer", "minimum": 0, "maximum": u32::MAX})
            }
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX})
            }
            Kind::Double | Kind::Float => json!({"type": "number"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Enum(kind) => self.names(kind),
            Kind::Message(message) => match message.full_name() {
                "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
                "google.protobuf.Any" => json!({
                    "type": "object", "properties": {"@type": {"type": "string"}},
                    "required": ["@type"], "additionalProperties": true,
                }),
                _ => self.message(message),
            },
        }
    }

    /// A reference to the names of an enum, which are added.
    fn names(&mut self, kind: &EnumDescriptor) -> Value {
        let name = kind.full_name();
        if self.begun.insert(name.to_owned()) {
            let file = kind.parent_file();
            let mut words = comment(&file, kind.path());
            for value in kind.values() {
                words.push_str(&format!(
                    "\n- `{}`: {}",
                    value.name(),
                    comment(&file, value.path())
                ));
            }
            let names: Vec<_> = kind.values().map(|value| value.name().to_owned()).collect();
            let schema = json!({"type": "string", "enum": names, "description": words});
            self.done.insert(name.to_owned(), schema);
        }
        reference(name)
    }

    /// What is answered when something is refused.
    pub(super) fn add_status(&mut self) {
        let detail = json!({
            "type": "object", "required": ["@type"], "additionalProperties": true,
            "properties": {"@type": {"type": "string"}},
            "description": "One of google.rpc.ErrorInfo, BadRequest, RetryInfo, RequestInfo.",
        });
        let status = json!({
            "type": "object", "required": ["code", "message", "details"],
            "description": "Why a call was refused: a google.rpc.Status.",
            "properties": {
                "code": {"type": "integer", "description": "The canonical code of gRPC."},
                "message": {"type": "string", "description": "For people; it may change."},
                "details": {"type": "array", "items": detail},
            },
        });
        self.done.insert("Refusal".to_owned(), status);
    }

    /// All of them, by name.
    pub(super) fn finish(self) -> Value {
        Value::Object(self.done)
    }
}

/// A reference to a schema.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}
