using Spectre.Console;

namespace RunbookServer.Terminal;

/// <summary>What the command line prints. Text from outside is escaped: neither markup nor terminal control comes through.</summary>
internal static class ConsoleOutput
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>Never wrapped: paths and addresses in it are copied.</summary>
    public static void Error(string message) => Console.Error.WriteLine($"error: {Clean(message)}");

    /// <summary>Beside what a script reads.</summary>
    public static void Note(string message) => Console.Error.WriteLine($"note: {Clean(message)}");

    public static void Line(string markup = "") => AnsiConsole.MarkupLine(markup);

    /// <summary>As it is, never wrapped and never coloured: for links and for what another program reads.</summary>
    public static void Raw(string text) => Console.Out.WriteLine(Clean(text));

    /// <summary>A line of a record. What of its text stands on lines of its own is marked, so that text from outside looks like no other line of ours.</summary>
    public static void Record(string line) => Raw(line.ReplaceLineEndings($"\n{new string(' ', line.Length - line.TrimStart(' ').Length)}| "));

    public static void Json(JsonNode? node) => Raw(node?.ToJsonString(s_indented) ?? "");

    public static string Plain(string? text) => Markup.Escape(Clean(text ?? ""));

    /// <summary>As it is printed.</summary>
    public static string Clean(string text) => string.Concat(text.Select(c => char.IsControl(c) && c != '\n' ? ' ' : c));
}

/// <summary>How this program is called, for messages that say what to type next.</summary>
internal static class ThisProgram
{
    private const string Project = "src/RunbookServer";

    /// <summary>Installed, it is a command of its own; out of the repository it is run by its project.</summary>
    public static string Command => IsBuiltHere ? $"dotnet run --project {Project} --" : "runbook";

    /// <summary>A sample alert that can be posted; null where there are no sources.</summary>
    public static string? Sample(string name) => Path.Combine(Project, "Samples", name) is var file && File.Exists(file) ? file : null;

    private static bool IsBuiltHere => AppContext.BaseDirectory.StartsWith(Path.GetFullPath(Project) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

/// <summary>Writes a file that is not there yet: what somebody has written is never overwritten.</summary>
internal static class NewFile
{
    /// <param name="other">How another file is named, in an error: <c>Name another file with --out.</c></param>
    /// <exception cref="CommandException">It is there, or cannot be written.</exception>
    public static void Write(string file, string text, string other)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            using var created = new StreamWriter(new FileStream(file, FileMode.CreateNew));
            created.Write(text);
        }
        catch (IOException) when (File.Exists(file))
        {
            throw new CommandException($"{file} is there already and was left as it is. {other}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{file} cannot be written: {failure.Message} {other}");
        }
    }
}

/// <summary>Says on the terminal what was sent, so that the newcomer sees the message without opening a file.</summary>
internal sealed class TerminalNotifier(IAnsiConsole console, TimeProvider time) : INotifier
{
    public string Channel => "terminal";

    public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var colour = card.Kind is CardKind.Page ? "red" : card.Asks ? "yellow" : "green";
        var dryRun = card.DryRun ? "[bold](dry run)[/] " : "";
        console.MarkupLine($"[grey]{time.GetUtcNow():HH:mm:ss}[/] [{colour}]→ {Plain(to.Recipient)}[/] {dryRun}{Plain(card.Title)} [grey]{Plain(card.IncidentId)}[/]");
        if (card.Links.Count > 0)
        {
            // Not wrapped: a link that is broken over two lines cannot be clicked.
            console.Profile.Out.Writer.WriteLine($"         {card.Links[0].Url}");
        }

        return Task.FromResult<Receipt>(null);
    }

    /// <summary>Titles hold text from alerts: they stay on their line.</summary>
    private static string Plain(string text) => ConsoleOutput.Plain(text.Replace('\n', ' '));
}
