using System.Reflection;
using Runbooks.Catalog.Schema;
using Runbooks.Catalog.Templates;
using Runbooks.Guardrails;

namespace RunbookServer.Commands;

/// <summary><c>runbook new ID --from TEMPLATE</c>: a commented runbook that validates, with a test that passes.</summary>
internal static class NewCommand
{
    private const string Prefix = "templates/";
    private const string Usual = "ask";
    private static readonly Assembly s_assembly = typeof(NewCommand).Assembly;

    public static IReadOnlyList<string> Templates { get; } =
    [
        .. s_assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..].Split('.')[0])
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    public static Command Build()
    {
        var id = new Argument<string>("id") { Description = $"The new runbook's id: {NameRules.IdFormat}." };
        var from = new Option<string>("--from")
        {
            Description = "What to begin with. ask: a person approves; self-healing: acts within limits and tells afterwards; "
                + "lease: taken back by itself; tell: only tells; by-hand: a person does it.",
            DefaultValueFactory = _ => Usual,
        };
        from.AcceptOnlyFromAmong([.. Templates]);
        var title = new Option<string?>("--title") { Description = "The name people see; made of the id unless given." };
        var owner = new Option<string?>("--owner") { Description = "Who keeps it; platform unless given, in a team's folder its owner." };
        var folder = new Option<string>("--runbooks")
        {
            Description = "The folder of runbooks; ./runbooks unless named. Made where it is not there.",
            DefaultValueFactory = _ => "runbooks",
        };
        var command = new Command("new", "Writes a commented runbook that validates, with a test that passes, to change into your own.")
        {
            id,
            from,
            title,
            owner,
            folder,
        };
        command.SetAction(parsed => Create(
            parsed.GetRequiredValue(id),
            parsed.GetRequiredValue(from),
            parsed.GetRequiredValue(folder),
            parsed.GetValue(title),
            parsed.GetValue(owner)));
        return command;
    }

    private static int Create(string id, string template, string folder, string? title, string? owner)
    {
        EnsureMayBeId(id);
        EnsureHasNoPlaceholder("--title", title);
        EnsureHasNoPlaceholder("--owner", owner);
        var words = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ID"] = id,
            ["TITLE"] = Quoted(title ?? CleanText.Capital(id.Replace('-', ' '))),
            ["OWNER"] = Quoted(owner ?? OwnerOf(folder)),
        };
        Write(folder, id, template, words);
        return ExitCode.Done;
    }

    private static void EnsureHasNoPlaceholder(string option, string? text)
    {
        if (Template.HasPlaceholder(text ?? ""))
        {
            throw new CommandException($"{option} holds '{{{{', and is shown as it stands. Write it without.");
        }
    }

    private static void EnsureMayBeId(string name)
    {
        if (!NameRules.IsId(name))
        {
            throw new CommandException($"'{name}' is no id of a runbook. Use {NameRules.IdFormat}.");
        }

        if (!RuleSet.IsRunbook($"{name}.yaml") || $"{name}.yaml" == TeamFile.FileName)
        {
            throw new CommandException($"{name}.yaml means something else to a host than a runbook. Choose another id.");
        }
    }

    private static void Write(string folder, string name, string template, Dictionary<string, string> words)
    {
        const string Other = "Choose another id, or another folder with --runbooks.";
        var runbook = Path.Combine(folder, $"{name}.yaml");
        var test = Path.Combine(folder, "tests", name, "as-usual", TestCase.FileName);
        NewFile.Write(runbook, Filled(template, words), Other);
        NewFile.Write(test, Filled($"{template}.test", words), Other);
        ConsoleOutput.Raw($"""
            Wrote {runbook}
            and its test {test}.

            Change them into your own, and look at them with
              runbook validate {runbook}
              runbook test {runbook}
              runbook render {runbook}
            """);
    }

    private static string OwnerOf(string folder) =>
        RunbookFolder.TeamOf(folder) is { } team && TeamFile.Read(team).Team is { } known ? known.Owner : "platform";

    private static string Filled(string template, Dictionary<string, string> words)
    {
        using var stream = new StreamReader(s_assembly.GetManifestResourceStream($"{Prefix}{template}.yaml")!);
        return string.Join('\n', stream.ReadToEnd().ReplaceLineEndings("\n").Split('\n').Select(line =>
            line.Split(": ") is [var key, var word] && words.TryGetValue(word, out var text) ? $"{key}: {text}" : line));
    }

    private static string Quoted(string text) => IsPlainInYaml(text)
        ? text
        : $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static bool IsPlainInYaml(string text) =>
        text.All(character => char.IsLetterOrDigit(character) || character is ' ' or '-')
        && text.Trim() == text
        && text.Length > 0
        && char.IsLetter(text[0])
        && text is not ("null" or "true" or "false");
}

/// <summary><c>runbook schema [KIND]</c>: the JSON Schema of a file, for editors.</summary>
internal static class SchemaCommand
{
    private static readonly Dictionary<string, Func<IServiceProvider, JsonObject>> s_kinds = new(StringComparer.Ordinal)
    {
        ["runbook"] = services => services.GetRequiredService<RunbookSchema>().Create(),
        ["test"] = _ => TestSchema.Create(),
        ["contacts"] = services => ActivatorUtilities.CreateInstance<ContactsSchema>(services).Create(),
        ["windows"] = _ => MaintenanceSchema.Create(),
        ["team"] = _ => TeamSchema.Create(),
        ["team-contacts"] = services => ActivatorUtilities.CreateInstance<ContactsSchema>(services).Create(ofTeam: true),
    };

    public static IReadOnlyCollection<string> Kinds => s_kinds.Keys;

    public static Command Build()
    {
        var kind = new Argument<string>("kind")
        {
            Description = "Which file: runbook (with every check and action of this host), test, contacts, windows, team or team-contacts.",
            DefaultValueFactory = _ => "runbook",
        };
        kind.AcceptOnlyFromAmong([.. s_kinds.Keys]);
        var command = new Command("schema", "Prints the JSON Schema of a file, for editors.") { kind };
        command.SetAction(parsed =>
        {
            using var services = OfflineServices.Build();
            ConsoleOutput.Json(s_kinds[parsed.GetRequiredValue(kind)](services));
            return ExitCode.Done;
        });
        return command;
    }
}
