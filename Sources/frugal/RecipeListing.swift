import Methods

extension SettingsListing {
  /// Adds the settings that every recipe has.
  mutating func addRecipe() {
    let usually = method.recipe(usual)
    for flag in RecipeFlags.all where !method.head.isFitted || RecipeFlags.withoutSteps.contains(flag.flag) {
      switch flag.scope {
      case .recipe(let value): addWhole(flag.flag, value, usually)
      case .optimizer(let value): addHalves(flag, value, usually)
      case .head: break  // stands with the flag of both halves
      }
    }
  }

  /// Adds a setting of the recipe as a whole.
  private mutating func addWhole(_ flag: String, _ value: (Recipe) -> String?, _ usually: Recipe) {
    let name = String(flag.dropFirst(2))
    // As many as the steps take, which the number of images decides.
    if flag == "--epochs", recipe.steps != nil {
      return addUnset(name, "open", source(["--max-steps"], otherwise: origin))
    }
    guard let own = value(recipe) else {
      return addUnset(name, "none", flag == "--max-steps" ? source(["--epochs"], otherwise: "default") : "default")
    }
    if !changes(flag, to: own) {
      add(name, [own], otherwise: published(origin, own, usually: value(usually)))
    } else if flag == "--stochastic-depth", recipe.stochasticDepth == nil {
      // A depth of 0 is another recipe than one without, though the same training.
      addUnset(name, own, origin)
    }
  }

  /// Adds a setting of the optimisers: that of the encoder, or of the head where only that is trained, and that of a
  /// head that is trained with the encoder where it is a number of its own or another one.
  private mutating func addHalves(_ flag: RecipeFlag, _ value: (OptimizerRecipe) -> String, _ usually: Recipe) {
    let (trainsEncoder, trainsHead) = (method.encoder.isTrained, method.head.isTrained)
    let (own, usual) = trainsEncoder ? (recipe.encoder, usually.encoder) : (recipe.head, usually.head)
    let twin = RecipeFlags.twin(of: flag.flag)
    var stated: String?
    if flag.need?.isMet(by: own) ?? true {
      let text = value(own)
      add(
        String(flag.flag.dropFirst(2)), [text], from: trainsEncoder ? [flag.flag] : [twin, flag.flag],
        otherwise: published(origin, text, usually: value(usual)))
      stated = text
    }
    guard trainsEncoder, trainsHead, flag.need?.isMet(by: recipe.head) ?? true else { return }
    let (text, isRate) = (value(recipe.head), RecipeFlags.rates.contains(flag.flag))
    guard isRate || text != stated || typed.has(twin) else { return }
    add(
      String(twin.dropFirst(2)), [text], from: isRate ? [twin] : [twin, flag.flag],
      otherwise: published(method.sharesOptimizer ? origin : headOrigin, text, usually: value(usually.head)))
  }

  /// Adds the settings of the method's halves; of one that both have, the head's is that of the recipe.
  mutating func addOptions() {
    let (before, usually) = (method.recipe(setting), method.recipe(usual))
    let names = Set(method.head.options.map(\.name))
    let ofEncoder = method.encoder.options.filter { !names.contains($0.name) }
    for (options, origin) in [(ofEncoder, origin), (method.head.options, headOrigin)] {
      for option in options {
        guard let value = self.value(of: option) else {
          addMissing(option)
          continue
        }
        let isPublished = option.value(of: before, method) == value
        add(
          option.name, [value],
          otherwise: published(origin, value, usually: isPublished ? option.value(of: usually, method) : value))
      }
    }
  }

  /// The value of an option as a user would type it; `nil` for what is off, none or decided by something else.
  private func value(of option: MethodOption) -> String? {
    if decider(of: option) != nil { return nil }
    if option.isList, request.budgets.count > 1 {
      return request.budgets.map { "\($0)" }.joined(separator: ",")
    }
    let found = option.value(of: recipe, method)
    guard (try? option.checkEffect(in: recipe)) != nil else { return nil }
    if case .flag = option.values { return found }
    return found ?? typed.string("--\(option.name)")
  }

  /// The option that decides another one, which cannot be given with it, if there is one: a file of an allocation has a
  /// budget of its own.
  private func decider(of option: MethodOption) -> String? {
    if option.isList, !typed.has("--\(option.name)"),
      let file = method.options.first(where: { if case .choiceOrFile = $0.values { true } else { false } }),
      file.value(of: recipe, method) == nil
    {
      return file.name
    }
    return option.excludes.flatMap { other in
      method.options.first { $0.name == other && $0.value(of: recipe, method) != nil }?.name
    }
  }

  /// Adds an option without a value.
  private mutating func addMissing(_ option: MethodOption) {
    let told = option.toldDefault ?? "default"
    if (try? option.checkEffect(in: recipe)) == nil {
      addUnset(option.name, "none", "no effect with the others")
    } else if case .flag = option.values {
      add(option.name, [StatedSettings.word(false)], otherwise: told)
    } else if let other = decider(of: option) {
      addUnset(option.name, option.isList ? "open" : "none", "\(other) decides")
    } else if case .text = option.values {
      addUnset(option.name, "none", told)
    } else {
      addUnset(option.name, option.usualWord ?? "open", option.usualWord == nil ? told : "default")
    }
  }
}
