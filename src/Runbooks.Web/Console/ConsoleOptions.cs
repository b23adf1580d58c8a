namespace Runbooks.Web.Console;

/// <summary>What the console says that depends on where it runs.</summary>
public sealed class ConsoleOptions
{
    public const string SectionName = "Console";

    /// <summary>The line to try when there are no incidents yet.</summary>
    public string TryThis { get; set; } = "dotnet run --project src/RunbookServer -- fire hanged-gpu";
}
