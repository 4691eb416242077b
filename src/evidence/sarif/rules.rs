//! The rules of a run's tool, and which of them a result names.
//!
//! A result may name its rule by index, by id, or by both, in the driver or in an extension. Where what it names differs
//! all of it applies, and the worst counts.

use std::collections::BTreeMap;

use super::super::findings::Severity;
use super::super::json::Json;
use super::super::quote;
use super::result::{Level, rated};

/// A run's tool.
#[derive(Debug)]
pub(super) struct Tool<'a> {
    /// The driver's name.
    pub(super) name: &'a str,
    /// The rules of the driver, then those of each extension.
    components: Vec<Vec<Rule<'a>>>,
    /// Components by name and by guid: of several extensions the first, else the driver.
    names: BTreeMap<&'a str, usize>,
    guids: BTreeMap<&'a str, usize>,
    /// Rules by id, in the order of components; at most [`RULES_OF_ONE_ID`].
    ids: BTreeMap<&'a str, Vec<Place>>,
}

/// The component that a result's rule is in, until it names another.
const DRIVER: usize = 0;

/// How many rules of a run may have one id: each result of that id looks at all of them.
const RULES_OF_ONE_ID: usize = 64;

/// How far above an id its rule is looked for: `a/b/c` lies one level below `a/b`.
const LEVELS: usize = 32;

/// A rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule<'a> {
    /// Where it stands in the tool: no two rules have the same.
    pub(super) place: Place,
    pub(super) id: Option<&'a str>,
    pub(super) level: Option<Level>,
    pub(super) severity: Option<Severity>,
}

/// A component, the driver first, and the index of a rule in it.
pub(super) type Place = (usize, usize);

/// What a result names.
#[derive(Debug)]
pub(super) struct Named<'t, 'a> {
    /// The rules; more than one where index and id differ.
    pub(super) rules: Vec<&'t Rule<'a>>,
    /// Whether it names one by an index at which none stands.
    pub(super) dangling: bool,
}

impl<'a> Tool<'a> {
    /// The tool of a run.
    pub(super) fn of(run: &'a Json, at: &str) -> Result<Self, String> {
        let tool = run.get("tool");
        let driver = tool.and_then(|tool| tool.get("driver"));
        let name = driver.and_then(|driver| driver.get("name")).and_then(Json::as_text);
        let (Some(driver), Some(name)) = (driver, name) else {
            return Err(format!("`{at}/tool/driver/name` is no text"));
        };
        let tagged = name.to_ascii_lowercase().starts_with("trivy");
        let extensions =
            tool.and_then(|tool| tool.get("extensions")).and_then(Json::as_array).unwrap_or_default();
        let mut found = Self {
            name,
            components: Vec::new(),
            names: BTreeMap::new(),
            guids: BTreeMap::new(),
            ids: BTreeMap::new(),
        };
        for component in std::iter::once(driver).chain(extensions) {
            found.add(component, tagged, at)?;
        }
        for (key, known) in [("name", &mut found.names), ("guid", &mut found.guids)] {
            for (component, own) in extensions.iter().zip(1..).chain([(driver, DRIVER)]) {
                if let Some(text) = component.get(key).and_then(Json::as_text) {
                    known.entry(text).or_insert(own);
                }
            }
        }
        Ok(found)
    }

    fn add(&mut self, component: &'a Json, tagged: bool, at: &str) -> Result<(), String> {
        let own = self.components.len();
        let rules = component.get("rules").and_then(Json::as_array).unwrap_or_default();
        let rules: Vec<Rule<'a>> =
            rules.iter().enumerate().map(|(index, rule)| Rule::of(rule, (own, index), tagged)).collect();
        for rule in &rules {
            let Some(id) = rule.id else { continue };
            let places = self.ids.entry(id).or_default();
            places.push(rule.place);
            if places.len() > RULES_OF_ONE_ID {
                return Err(format!("`{at}/tool` has more than {RULES_OF_ONE_ID} rules of id {}", quote(id)));
            }
        }
        self.components.push(rules);
        Ok(())
    }

    /// Whether it is the formatter of Bandit, which keeps a severity of its own in each result.
    pub(super) fn is_bandit(&self) -> bool {
        self.name.eq_ignore_ascii_case("bandit")
    }

    /// The ids of all rules.
    pub(super) fn rule_ids(&self) -> impl Iterator<Item = &'a str> {
        self.components.iter().flatten().filter_map(|rule| rule.id)
    }

    /// The rules that a result names.
    pub(super) fn named<'t>(&'t self, result: &'a Json) -> Named<'t, 'a> {
        self.referenced(result.get("rule"), result.get("ruleIndex"), result.get("ruleId"))
    }

    /// The rules that a reference means (`rule` of a result, `descriptor` of an override), or an index and an id beside it.
    pub(super) fn referenced<'t>(
        &'t self,
        rule: Option<&'a Json>,
        index_beside: Option<&'a Json>,
        id_beside: Option<&'a Json>,
    ) -> Named<'t, 'a> {
        let in_rule = |key: &str| rule.and_then(|rule| rule.get(key));
        let component = self.component(in_rule("toolComponent"));
        let index = in_rule("index").or(index_beside);
        // -1 is how SARIF writes that there is none.
        let index = index.filter(|index| index.as_number() != Some(-1.0));
        let by_index = index.map(|index| {
            let at = index.as_count().and_then(|at| usize::try_from(at).ok());
            at.and_then(|at| self.rule((component?, at)))
        });
        let mut rules: Vec<&Rule<'a>> = by_index.flatten().into_iter().collect();
        let by_id = [in_rule("id"), id_beside].into_iter().flatten().filter_map(Json::as_text);
        for id in by_id {
            if !rules.iter().any(|rule| rule.id.is_some_and(|own| is_below(id, own))) {
                rules.extend(self.by_id(component, id));
            }
        }
        Named { dangling: matches!(by_index, Some(None)) && rules.is_empty(), rules }
    }

    fn rule(&self, (component, index): Place) -> Option<&Rule<'a>> {
        self.components.get(component)?.get(index)
    }

    /// The component that a reference means: the driver where there is none.
    fn component(&self, reference: Option<&Json>) -> Option<usize> {
        let Some(reference) = reference else { return Some(DRIVER) };
        if let Some(index) = reference.get("index").filter(|index| index.as_number() != Some(-1.0)) {
            let extension = index.as_count().and_then(|at| usize::try_from(at).ok())?.checked_add(1)?;
            return (extension < self.components.len()).then_some(extension);
        }
        let text = |key: &str| reference.get(key).and_then(Json::as_text);
        match (text("guid"), text("name")) {
            (Some(guid), _) => self.guids.get(guid).copied(),
            (None, Some(name)) => self.names.get(name).copied(),
            (None, None) => Some(DRIVER),
        }
    }

    /// The rules of that id, or of the longest id that it lies below; in the named component, else in all.
    fn by_id<'t>(&'t self, component: Option<usize>, id: &str) -> Vec<&'t Rule<'a>> {
        let mut others: BTreeMap<usize, Vec<Place>> = BTreeMap::new();
        for id in with_above(id) {
            let places = self.ids.get(id).map(Vec::as_slice).unwrap_or_default();
            let own: Vec<&Rule<'a>> = places
                .iter()
                .filter(|(at, _)| component == Some(*at))
                .filter_map(|place| self.rule(*place))
                .collect();
            if !own.is_empty() {
                return own;
            }
            for of_one in places.chunk_by(|one, next| one.0 == next.0) {
                if let Some((at, _)) = of_one.first() {
                    others.entry(*at).or_insert_with(|| of_one.to_vec());
                }
            }
        }
        others.into_values().flatten().filter_map(|place| self.rule(place)).collect()
    }
}

impl<'a> Rule<'a> {
    fn of(rule: &'a Json, place: Place, tagged: bool) -> Self {
        let properties = rule.get("properties");
        let severity = properties.and_then(|properties| properties.get("security-severity")).and_then(rated);
        let tags = properties.and_then(|properties| properties.get("tags")).and_then(Json::as_array);
        // Trivy's tags hold its own rating; another tool's may hold the same words for something else.
        let tags = tags.filter(|_| tagged).unwrap_or_default();
        let by_tag = tags.iter().filter_map(Json::as_text).filter_map(Severity::from_word).min();
        let level = rule.get("defaultConfiguration").and_then(|configuration| configuration.get("level"));
        Self {
            place,
            id: rule.get("id").and_then(Json::as_text),
            level: level.map(Level::of),
            severity: severity.or(by_tag),
        }
    }
}

/// An id, and those that it lies below, the longest first.
pub(super) fn with_above(id: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(id), |id| id.rsplit_once('/').map(|(above, _)| above)).take(LEVELS)
}

/// Whether `id` is `rule`, or lies below it (`CA1000/1` below `CA1000`).
fn is_below(id: &str, rule: &str) -> bool {
    id.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
