namespace RunbookServer.Tests.EndToEnd;

/// <summary>A folder with a changed copy of the shipped runbook.</summary>
internal sealed class RunbookCopy : IDisposable
{
    public const string Name = "hanged-gpu.yaml";

    public RunbookCopy(Func<string, string> change) => Write(change(Shipped));

    public static string Shipped { get; } = File.ReadAllText(System.IO.Path.Combine(QuickRunbooks.Path, Name));

    public string Path { get; } = Directory.CreateTempSubdirectory("runbooks-").FullName;

    public void Write(string text, string name = Name) => File.WriteAllText(System.IO.Path.Combine(Path, name), text);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
