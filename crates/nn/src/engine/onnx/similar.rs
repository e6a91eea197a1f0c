//! Which names somebody may have meant.

const MOST: usize = 5;

/// Up to five of `names`, given in the graph's order, the likeliest first: those that contain what was asked for, the
/// last first, since the last tensor of a block is its output; then those with the most letters in common.
pub(super) fn similar<'a>(names: &[&'a str], asked: &str) -> Vec<&'a str> {
    let asked = asked.to_lowercase();
    let (mut containing, mut others): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| !asked.is_empty() && name.to_lowercase().contains(&asked));
    containing.reverse();
    // A stable sort: of equals the first in the graph stays first.
    others.sort_by_cached_key(|name| {
        let likeness = strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &asked);
        std::cmp::Reverse((likeness * 1e6) as u64)
    });
    containing.into_iter().chain(others).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tensor_of_a_block_comes_first() {
        let names = ["/layer1/conv", "/layer1/relu", "/layer2/conv", "/layer2/relu", "features", "logits"];
        assert_eq!(similar(&names, "layer1")[..2], ["/layer1/relu", "/layer1/conv"]);
        assert_eq!(similar(&names, "feature")[0], "features");
        assert_eq!(similar(&names, "fetaures")[0], "features");
        assert_eq!(similar(&names, "").len(), 5);
    }
}
