namespace RunbookServer.Terminal;

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
