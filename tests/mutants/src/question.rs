
#[allow(warnings, clippy::all)]
mod __mutants {
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    static ACTIVE: LazyLock<usize> = LazyLock::new(|| {
        let active = std::env::var("XIEKA_MUTANT").ok();
        active.and_then(|id| id.parse().ok()).unwrap_or(usize::MAX)
    });
    static REACHED: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("XIEKA_MUTANTS_REACHED").ok());
    static SEEN: [AtomicBool; 65536] = [const { AtomicBool::new(false) }; 65536];

    pub(crate) fn is_active(id: usize) -> bool {
        if let Some(path) = &*REACHED
            && !SEEN[id].swap(true, Ordering::Relaxed)
        {
            let file = std::fs::File::options().append(true).create(true).open(path);
            file.unwrap().write_all(format!("{id}\n").as_bytes()).unwrap();
        }
        id == *ACTIVE
    }
}
