//! Finds the component that answers a path.
//!
//! Patterns are those of Spin: exact, `/...` for everything below, `:name` for one segment. The most exact
//! one wins. Private components have no pattern and are never found here.

use std::collections::BTreeSet;

use anyhow::{anyhow, ensure};

use crate::manifest::{HttpTrigger, Route};

/// Ends a pattern that also matches everything below it.
const TAIL: &str = "/...";

/// [`TAIL`] in the syntax of `routefinder`.
const ROUTEFINDER_TAIL: &str = "/*";

/// The public routes of an application.
pub(crate) struct Router(routefinder::Router<Entry>);

struct Entry {
    component: String,
    /// As in the manifest.
    raw: String,
    /// Normalised: one leading slash, no trailing one.
    based: String,
}

/// The route that a request matched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) component: String,
    /// The pattern as in the manifest.
    pub(crate) raw_route: String,
    /// The pattern, normalised.
    pub(crate) matched_route: String,
    /// The part of the path that `...` matched, with its leading slash.
    pub(crate) path_info: String,
    /// Name and value of every `:name`, in the order of the pattern.
    pub(crate) named: Vec<(String, String)>,
}

impl Match {
    /// The match of a request from one component to another: as if its route were `/...`.
    pub(crate) fn chained(component: String, path: &str) -> Self {
        Self {
            component,
            raw_route: TAIL.to_owned(),
            matched_route: TAIL.to_owned(),
            path_info: path.to_owned(),
            named: Vec::new(),
        }
    }

    /// The pattern as in the manifest, without its tail.
    pub(crate) fn component_route(&self) -> &str {
        self.raw_route.strip_suffix(TAIL).unwrap_or(&self.raw_route)
    }
}

impl Router {
    /// Builds the routes of all public triggers.
    ///
    /// # Errors
    /// A malformed pattern, or one that appears twice.
    pub(crate) fn build(triggers: &[HttpTrigger]) -> anyhow::Result<Self> {
        let mut router = routefinder::Router::new();
        let mut seen = BTreeSet::new();
        for HttpTrigger { component, route, .. } in triggers {
            let Route::Pattern(raw) = route else { continue };
            let based = normalise(raw);
            ensure!(seen.insert(based.clone()), "the route {raw:?} appears twice");
            let pattern = match based.strip_suffix(TAIL) {
                Some(prefix) => format!("{prefix}{ROUTEFINDER_TAIL}"),
                None => based.clone(),
            };
            let entry = Entry {
                component: component.clone(),
                raw: raw.clone(),
                based,
            };
            router
                .add(pattern.as_str(), entry)
                .map_err(|error| anyhow!("the route {raw:?}: {error}"))?;
        }
        Ok(Self(router))
    }

    /// The most exact route that matches the path of a request from outside.
    pub(crate) fn find(&self, path: &str) -> Option<Match> {
        let found = self.0.best_match(path)?;
        let Entry {
            component,
            raw,
            based,
        } = found.handler();
        let captures = found.captures();
        let path_info = captures
            .wildcard()
            .map_or_else(String::new, |rest| tail(rest, path));
        let named = captures
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(Match {
            component: component.clone(),
            raw_route: raw.clone(),
            matched_route: based.clone(),
            path_info,
            named,
        })
    }
}

/// `routefinder` drops the slashes around what the wildcard matched; Spin keeps them.
fn tail(rest: &str, path: &str) -> String {
    let slash = if path.ends_with('/') { "/" } else { "" };
    if rest.is_empty() {
        slash.to_owned()
    } else {
        format!("/{rest}{slash}")
    }
}

fn normalise(route: &str) -> String {
    let absolute = if route.starts_with('/') {
        route.to_owned()
    } else {
        format!("/{route}")
    };
    absolute.strip_suffix('/').map(str::to_owned).unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &str)]) -> anyhow::Result<Router> {
        #[derive(serde::Deserialize)]
        struct Triggers {
            http: Vec<HttpTrigger>,
        }
        let text: String = routes
            .iter()
            .map(|(route, component)| format!("[[http]]\nroute = {route}\ncomponent = \"{component}\"\n"))
            .collect();
        let triggers: Triggers = toml::from_str(&text).unwrap();
        Router::build(&triggers.http)
    }

    #[test]
    fn the_most_exact_route_wins() {
        let router = router(&[
            ("\"/...\"", "all"),
            ("\"/v1/...\"", "v1"),
            ("\"/v1/token\"", "token"),
            ("\"/v1/:kind/one\"", "kind"),
            ("{ private = true }", "hidden"),
        ])
        .unwrap();
        for (path, component) in [
            ("/", "all"),
            ("/x", "all"),
            ("/v1", "v1"),
            ("/v1/", "v1"),
            ("/v1/other", "v1"),
            ("/v1/token", "token"),
            ("/v1/token/more", "v1"),
            ("/v1/chip/one", "kind"),
        ] {
            assert_eq!(router.find(path).unwrap().component, component, "{path}");
        }
    }

    #[test]
    fn without_a_catch_all_an_unknown_path_matches_nothing() {
        let router = router(&[("\"/v1/token\"", "token"), ("{ private = true }", "hidden")]).unwrap();
        assert_eq!(router.find("/v1"), None);
        assert_eq!(router.find("/hidden"), None);
        assert_eq!(router.find("/"), None);
    }

    #[test]
    fn a_match_carries_the_tail_and_the_names() {
        let router = router(&[("\"/u/:user/...\"", "u")]).unwrap();
        let found = router.find("/u/42/a/b/").unwrap();
        assert_eq!(found.path_info, "/a/b/");
        assert_eq!(found.named, [("user".to_owned(), "42".to_owned())]);
        assert_eq!(found.component_route(), "/u/:user");
        assert_eq!(router.find("/u/42").unwrap().path_info, "");
        assert_eq!(router.find("/u/42/").unwrap().path_info, "/");
    }

    #[test]
    fn a_route_that_appears_twice_is_refused() {
        assert!(router(&[("\"/a\"", "x"), ("\"/a/\"", "y")]).is_err());
    }
}
