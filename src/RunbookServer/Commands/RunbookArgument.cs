using Runbooks.Settings;

namespace RunbookServer.Commands;

internal sealed class RunbookArgument
{
    private readonly Argument<string> _name = new("runbook") { Description = "A runbook's id, or its file." };
    private readonly RunbookFolderOption _folder = new();

    public HostSettingsOption Settings { get; } = new();

    public void AddTo(Command command)
    {
        command.Add(_name);
        command.Add(_folder);
        command.Add(Settings);
    }

    public Runbook Load(ParseResult parsed, RunbookCatalog catalog)
    {
        var file = Find(parsed.GetRequiredValue(_name), _folder.Of(parsed));
        var loaded = catalog.Load([RunbookFolder.ReadWithSamples(file)], whole: false);
        return loaded.Errors.Count == 0
            ? catalog.Current[0]
            : throw new CommandException($"The runbook has errors.\n{string.Join("\n", loaded.Errors)}", ExitCode.Failed);
    }

    private static string Find(string name, RunbookFolder folder)
    {
        if (File.Exists(name))
        {
            return name;
        }

        // A runbook's file has the name of its id.
        var known = folder.Files().Select(file => (Id: Path.GetFileNameWithoutExtension(file), File: file)).ToList();
        var ids = known.Select(runbook => runbook.Id);
        return known.Find(runbook => runbook.Id == name).File
            ?? throw new CommandException(
                $"There is no runbook and no file '{name}'. {Suggestion.For(name, ids)}In {folder.Path}: {string.Join(", ", ids)}.");
    }
}

internal sealed class RunbookFolderOption : Option<DirectoryInfo?>
{
    public RunbookFolderOption()
        : base("--runbooks") => Description = "The folder of runbooks; ./runbooks or the shipped ones unless named.";

    public RunbookFolder Of(ParseResult parsed) => RunbookFolder.Find(parsed.GetValue(this)?.FullName);
}

/// <summary><c>--setting NAME=VALUE</c>: the settings that a host would have for its runbooks.</summary>
internal sealed class HostSettingsOption : Option<string[]>
{
    public HostSettingsOption()
        : base("--setting") =>
        Description = "What runbooks read as {{ settings.NAME }}: NAME=VALUE, as the host's Runbooks:Settings:NAME.";

    /// <param name="configured">A host's settings, for names that are not given.</param>
    public HostSettings Of(ParseResult parsed, IConfiguration? configured = null)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var section = $"{RunbookSettingsOptions.SectionName}:{nameof(RunbookSettingsOptions.Settings)}";
        foreach (var setting in configured?.GetSection(section).GetChildren() ?? [])
        {
            values.Add(setting.Key, setting.Value ?? "");
        }

        foreach (var given in parsed.GetValue(this) ?? [])
        {
            if (given.Split('=', 2) is not [{ Length: > 0 } name, var value])
            {
                throw new CommandException($"--setting is '{given}'; it has to be NAME=VALUE.");
            }

            values[name] = value;
        }

        return new(values);
    }
}
