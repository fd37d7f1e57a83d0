import Tensor

extension WeightLayout {
  /// The stored name of a site's tensor, and the index of its part, if several are stacked, with their number.
  ///
  /// `nil` for a site that the layout does not store.
  package func location(of site: String) -> (name: String, part: Int?, of: Int)? {
    guard let rule = rule(for: site) else { return nil }
    return switch rule.form {
    case .third(let part): (rule.name, part, 3)
    case .half(let part): (rule.name, part, 2)
    default: (rule.name, nil, 1)
    }
  }

  /// A checkpoint with some of its tensors replaced: values by site, in the names and forms of the layout.
  ///
  /// - stored: the current tensors, by their stored names.
  /// - Returns: the stored tensors that change; sites that the layout does not store are skipped.
  package func stored(
    _ values: [(site: String, value: Tensor)], over stored: (_ name: String) throws -> Tensor
  ) rethrows -> [String: Tensor] {
    var changed: [String: Tensor] = [:]
    for (site, value) in values {
      guard let (name, form) = rule(for: site) else { continue }
      let old = try changed[name] ?? stored(name)
      changed[name] = form.stored(value, over: old)
    }
    return changed
  }
}

extension WeightLayout.Form {
  /// The stored tensor that holds a value, whose other parts are those of `old`.
  fileprivate func stored(_ value: Tensor, over old: Tensor) -> Tensor {
    switch self {
    case .same, .transposed, .nested, .trailing, .neighboursLast, .pixelsFirst, .headsLast, .headsFirst, .inHeads:
      let shape = storedShape(of: value.shape)
      guard let order = extentOrder else { return value.reshaped(to: shape) }
      // The other way round: the extents as they lie in the used tensor, put back in the order of the stored one.
      let used = value.reshaped(to: Shape(order.map { shape[$0] }))
      return used.permutingExtents(order.indices.map { extent in order.firstIndex(of: extent) ?? extent })
    case .third(let part), .half(let part):
      var result = old
      result.write { into in
        Tensor.read(value) { (into + part * value.count).update(from: $0, count: value.count) }
      }
      return result
    }
  }
}
