//! Takes comments out of the migrations, which every component carries: they are for those who read the files.

use std::path::Path;
use std::{env, fs};

fn main() {
    let (from, to) = (
        Path::new("migrations"),
        env::var_os("OUT_DIR").expect("cargo says where"),
    );
    println!("cargo::rerun-if-changed={}", from.display());
    for entry in fs::read_dir(from).expect("the folder of migrations") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a text");
        let mut statements = String::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("--"))
        {
            statements.push_str(line);
            statements.push('\n');
        }
        let name = path.file_name().expect("a name");
        fs::write(Path::new(&to).join(name), statements).expect("written");
    }
}
