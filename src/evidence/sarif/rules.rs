//! The rules of a run's tool, and which of them a result names.
//!
//! A result may name its rule by index, by id, or by both, in the driver or in an extension. Where what it names differs
//! all of it applies, and the worst counts.

use std::collections::BTreeMap;

use super::super::findings::Severity;
use super::super::json::Json;
use super::result::{Level, rated};

/// A run's tool.
#[derive(Debug)]
pub(super) struct Tool<'a> {
    /// The driver's name.
    pub(super) name: &'a str,
    driver: Component<'a>,
    extensions: Vec<Component<'a>>,
}

/// The driver or an extension.
#[derive(Debug)]
struct Component<'a> {
    name: Option<&'a str>,
    guid: Option<&'a str>,
    rules: Vec<Rule<'a>>,
    ids: BTreeMap<&'a str, Vec<usize>>,
}

/// A rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) level: Option<Level>,
    pub(super) severity: Option<Severity>,
}

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
        Ok(Self {
            name,
            driver: Component::of(driver, tagged),
            extensions: extensions.iter().map(|extension| Component::of(extension, tagged)).collect(),
        })
    }

    /// Whether it is the formatter of Bandit, which keeps a severity of its own in each result.
    pub(super) fn is_bandit(&self) -> bool {
        self.name.eq_ignore_ascii_case("bandit")
    }

    /// The ids of all rules.
    pub(super) fn rule_ids(&self) -> impl Iterator<Item = &'a str> {
        let components = std::iter::once(&self.driver).chain(&self.extensions);
        components.flat_map(|component| &component.rules).filter_map(|rule| rule.id)
    }

    /// The rules that a result names.
    pub(super) fn named<'t>(&'t self, result: &'a Json) -> Named<'t, 'a> {
        let rule = result.get("rule");
        let in_rule = |key: &str| rule.and_then(|rule| rule.get(key));
        let component = self.component(in_rule("toolComponent"));
        let index = in_rule("index").or_else(|| result.get("ruleIndex"));
        // -1 is how SARIF writes that there is none.
        let index = index.filter(|index| index.as_number() != Some(-1.0));
        let by_index = index.map(|index| {
            let at = index.as_count().and_then(|at| usize::try_from(at).ok());
            at.and_then(|at| component?.rules.get(at))
        });
        let mut rules: Vec<&Rule<'a>> = by_index.flatten().into_iter().collect();
        let by_id = [in_rule("id"), result.get("ruleId")].into_iter().flatten().filter_map(Json::as_text);
        for id in by_id {
            if !rules.iter().any(|rule| rule.id.is_some_and(|own| is_below(id, own))) {
                rules.extend(self.by_id(component, id));
            }
        }
        Named { dangling: matches!(by_index, Some(None)) && rules.is_empty(), rules }
    }

    /// The component that a reference means: the driver where there is none.
    fn component(&self, reference: Option<&Json>) -> Option<&Component<'a>> {
        let Some(reference) = reference else { return Some(&self.driver) };
        if let Some(index) = reference.get("index").filter(|index| index.as_number() != Some(-1.0)) {
            return index.as_count().and_then(|at| self.extensions.get(usize::try_from(at).ok()?));
        }
        let text = |key: &str| reference.get(key).and_then(Json::as_text);
        let (guid, name) = (text("guid"), text("name"));
        if guid.is_none() && name.is_none() {
            return Some(&self.driver);
        }
        let mut components = self.extensions.iter().chain([&self.driver]);
        components.find(|own| if guid.is_some() { own.guid == guid } else { own.name == name })
    }

    /// The rules of that id, or of the longest id that it lies below; in the named component, else in all.
    fn by_id<'t>(&'t self, component: Option<&'t Component<'a>>, id: &str) -> Vec<&'t Rule<'a>> {
        let own = component.map(|component| component.by_id(id)).unwrap_or_default();
        if !own.is_empty() {
            return own;
        }
        let others = std::iter::once(&self.driver).chain(&self.extensions);
        others.flat_map(|component| component.by_id(id)).collect()
    }
}

impl<'a> Component<'a> {
    fn of(component: &'a Json, tagged: bool) -> Self {
        let rules = component.get("rules").and_then(Json::as_array).unwrap_or_default();
        let rules: Vec<Rule<'a>> = rules.iter().map(|rule| Rule::of(rule, tagged)).collect();
        let mut ids: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, rule) in rules.iter().enumerate() {
            if let Some(id) = rule.id {
                ids.entry(id).or_default().push(at);
            }
        }
        let text = |key: &str| component.get(key).and_then(Json::as_text);
        Self { name: text("name"), guid: text("guid"), rules, ids }
    }

    fn by_id(&self, id: &str) -> Vec<&Rule<'a>> {
        let mut id = id;
        loop {
            if let Some(places) = self.ids.get(id) {
                return places.iter().filter_map(|at| self.rules.get(*at)).collect();
            }
            match id.rsplit_once('/') {
                Some((above, _)) => id = above,
                None => return Vec::new(),
            }
        }
    }
}

impl<'a> Rule<'a> {
    fn of(rule: &'a Json, tagged: bool) -> Self {
        let properties = rule.get("properties");
        let severity = properties.and_then(|properties| properties.get("security-severity")).and_then(rated);
        let tags = properties.and_then(|properties| properties.get("tags")).and_then(Json::as_array);
        // Trivy's tags hold its own rating; another tool's may hold the same words for something else.
        let tags = tags.filter(|_| tagged).unwrap_or_default();
        let by_tag = tags.iter().filter_map(Json::as_text).filter_map(Severity::from_word).min();
        let level = rule.get("defaultConfiguration").and_then(|configuration| configuration.get("level"));
        Self {
            id: rule.get("id").and_then(Json::as_text),
            level: level.map(Level::of),
            severity: severity.or(by_tag),
        }
    }
}

/// Whether `id` is `rule`, or lies below it (`CA1000/1` below `CA1000`).
fn is_below(id: &str, rule: &str) -> bool {
    id.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
