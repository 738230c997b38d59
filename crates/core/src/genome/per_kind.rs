//! Values for SNPs and for indels.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::VariantKind;

/// One value for SNPs and one for indels.
///
/// A `PerKind<Option<T>>` is a map in JSON, `{"INDEL": …, "SNP": …}`, without the kinds that have
/// no value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerKind<T> {
    /// The value for SNPs.
    pub snp: T,
    /// The value for indels.
    pub indel: T,
}

impl<T> PerKind<T> {
    /// The value for a kind; nothing for [`VariantKind::Other`].
    pub fn get(&self, kind: VariantKind) -> Option<&T> {
        match kind {
            VariantKind::Snp => Some(&self.snp),
            VariantKind::Indel => Some(&self.indel),
            VariantKind::Other => None,
        }
    }

    /// Both kinds with their values, SNPs first.
    pub fn iter(&self) -> impl Iterator<Item = (VariantKind, &T)> {
        [
            (VariantKind::Snp, &self.snp),
            (VariantKind::Indel, &self.indel),
        ]
        .into_iter()
    }

    /// Another value for each kind, SNPs first.
    pub fn map<U>(self, mut f: impl FnMut(VariantKind, T) -> U) -> PerKind<U> {
        PerKind {
            snp: f(VariantKind::Snp, self.snp),
            indel: f(VariantKind::Indel, self.indel),
        }
    }
}

impl<T> PerKind<Option<T>> {
    /// The kinds that have a value, with it, SNPs first.
    pub fn present(&self) -> impl Iterator<Item = (VariantKind, &T)> {
        self.iter()
            .filter_map(|(kind, value)| Some((kind, value.as_ref()?)))
    }

    /// True where no kind has a value.
    pub fn is_empty(&self) -> bool {
        self.present().next().is_none()
    }
}

/// The map in JSON, keys in alphabetical order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map<T> {
    #[serde(rename = "INDEL", skip_serializing_if = "Option::is_none")]
    indel: Option<T>,
    #[serde(rename = "SNP", skip_serializing_if = "Option::is_none")]
    snp: Option<T>,
}

impl<T: Serialize> Serialize for PerKind<Option<T>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let map = Map {
            indel: self.indel.as_ref(),
            snp: self.snp.as_ref(),
        };
        map.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PerKind<Option<T>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Map { indel, snp } = Map::deserialize(deserializer)?;
        Ok(Self { snp, indel })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_its_value_and_other_none() {
        let lengths = PerKind { snp: 1, indel: 7 };
        assert_eq!(lengths.get(VariantKind::Snp), Some(&1));
        assert_eq!(lengths.get(VariantKind::Indel), Some(&7));
        assert_eq!(lengths.get(VariantKind::Other), None);
        let named = lengths.map(|kind, length| format!("{kind} {length}"));
        assert_eq!((&*named.snp, &*named.indel), ("SNP 1", "INDEL 7"));
    }

    #[test]
    fn in_json_it_is_a_map_of_the_kinds_that_have_a_value() {
        for (text, value) in [
            ("{}", PerKind::default()),
            (
                r#"{"SNP":1}"#,
                PerKind {
                    snp: Some(1),
                    indel: None,
                },
            ),
            (
                r#"{"INDEL":7,"SNP":1}"#,
                PerKind {
                    snp: Some(1),
                    indel: Some(7),
                },
            ),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
            let read: PerKind<Option<i32>> = serde_json::from_str(text).unwrap();
            assert_eq!(read, value);
            assert_eq!(read.is_empty(), text == "{}");
        }
        let error = serde_json::from_str::<PerKind<Option<i32>>>(r#"{"MNP":1}"#).unwrap_err();
        assert!(
            error.to_string().contains("expected `INDEL` or `SNP`"),
            "{error}"
        );
    }
}
