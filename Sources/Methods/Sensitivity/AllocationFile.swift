import Datasets
import Formats
import Foundation
import Models
import Tensor

/// An allocation in a file: that of one budget as the authors ship them, `param_req_0.4.pth`, or those of all budgets
/// as the survey of this library writes them, `allocations.json` with the scores in the same folder.
///
/// Both say the same: which matrices get modules, which vectors are tuned whole, and which single entries of the other
/// tensors are tuned.
struct AllocationFile {
  /// The file, as it was named.
  let file: String
  /// SHA-256 of what was read.
  let sha256: String
  private let contents: Contents

  private enum Contents {
    case published(PublishedAllocation)
    case survey(SurveyedAllocations)
  }

  /// What is tuned, with the ascending indices of single entries, one list per site.
  struct Choice {
    let allocation: Allocation
    let positions: [[Int32]]
  }

  /// Reads a file of either kind.
  ///
  /// - Throws: `AllocationError` for a file that is neither; `FileError`, `WeightFileError`.
  init(_ path: String) throws {
    let url = URL(fileURLWithPath: path)
    file = url.shown
    if url.pathExtension.lowercased() == "json" {
      let survey = try SurveyedAllocations(url)
      (contents, sha256) = (.survey(survey), survey.sha256)
    } else {
      let published = try PublishedAllocation(url)
      (contents, sha256) = (.published(published), published.sha256)
    }
  }

  /// A budget with what the file decides: its rules, and its size where the file holds one allocation.
  ///
  /// - budgets: those that the user asks for, if any; modelHash: SHA-256 of the weights of the model.
  /// - Throws: `SettingError` for a budget or rules that the file does not have; `AllocationError`.
  func completed(
    _ budget: Budget, budgets: [Int], form: StructuredForm, _ tower: any ImageTower, modelHash: String
  ) throws -> Budget {
    let usual = Budget(parameters: budget.parameters, rules: Allocation.Rules(form: form))
    guard (budget.samples, budget.batchSize) == (usual.samples, usual.batchSize) else {
      throw SettingError(
        "allocation", expected: "no numbers of samples with \(file), which says what is tuned",
        found: "\(budget.samples) in batches of \(budget.batchSize)")
    }
    var result = budget
    result.file?.sha256 = sha256
    switch contents {
    case .published:
      if let asked = budgets.first {
        throw SettingError("budget", expected: "none with \(file), which holds one allocation", found: "\(asked)")
      }
      var rules = usual.rules
      rules.rank = budget.rules.rank
      guard budget.rules == rules else {
        throw SettingError(
          "allocation", expected: "no rules but a rank with \(file), which says what is tuned",
          found: budget.rules.summary)
      }
      let choice = try choice(
        of: budget, SensitivitySite.all(of: tower), classToken: tower.classToken?.value.count ?? 0)
      result.parameters = choice.allocation.total
    case .survey(let survey):
      guard survey.model == modelHash else {
        throw AllocationError(
          file, expected: "allocations of the model with SHA-256 \(modelHash.prefix(12))…",
          found: "those of \(survey.model.prefix(12))…")
      }
      let known = survey.budgets(form)
      for asked in budgets.isEmpty ? [budget.parameters] : budgets where !known.contains(asked) {
        throw SettingError(
          "budget", expected: "one of \(known.map { "\($0)" }.joined(separator: ", ")), which \(file) holds",
          found: "\(asked)")
      }
      let own = try survey.rules(form)
      guard budget.rules == own || budget.rules == usual.rules else {
        throw SettingError(
          "allocation", expected: "the rules of \(file), \(own.summary)", found: "\(budget.rules.summary)")
      }
      result.rules = own
    }
    return result
  }

  /// The allocation of a budget, whose rules are those of the file.
  ///
  /// - Throws: `AllocationError` for one that does not fit the tower.
  func choice(of budget: Budget, _ sites: [SensitivitySite], classToken: Int) throws -> Choice {
    switch contents {
    case .published(let published): try published.choice(budget.rules, sites, classToken: classToken)
    case .survey(let survey): try survey.choice(budget, sites, classToken: classToken)
    }
  }
}

/// A file of an allocation, by path and content.
public struct AllocationSource: Sendable, Codable, Equatable {
  /// The path.
  public var path: String
  /// SHA-256 of the allocation and, of a survey, its scores; empty until it was read.
  public var sha256 = ""

  /// A file whose content is not known yet.
  public init(path: String) { self.path = path }
}

/// A file that holds no allocation, or none that fits the model.
public struct AllocationError: Error, CustomStringConvertible, Equatable {
  /// The message: file, expected and found.
  public let description: String

  init(_ file: String, expected: String, found: String) {
    description = "\(file): expected \(expected), found \(found)"
  }
}

extension Allocation.Rules {
  /// The rules in a few words.
  var summary: String {
    "\(form.rawValue) of rank \(rank), α \(alpha), β \(beta), \(structure.rawValue)"
      + (tunesVectors ? "" : ", no whole vectors")
  }
}
