/// The whole library in one import.
///
///     import Frugal
///
/// is the same as importing its five modules one by one: numbers and their gradients (`Tensor`), files (`Formats`),
/// images (`Datasets`), networks and their sites (`Models`), methods and runs (`Methods`). Begin with `Run`, which is
/// all of `frugal tune` in a call; the folder `Snippets` has examples to run.
@_exported import Datasets
@_exported import Formats
@_exported import Methods
@_exported import Models
@_exported import Tensor
