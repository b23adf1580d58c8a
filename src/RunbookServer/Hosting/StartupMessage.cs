using Runbooks.Model.Definition;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>What a person sees when the host has started: what is loaded, where the console is, what to try next.</summary>
internal static class StartupMessage
{
    public static void Show(ServerSettings settings, IReadOnlyList<Runbook> runbooks, string folder, Uri address, SandboxWorld? sandbox)
    {
        ConsoleOutput.Line();
        ConsoleOutput.Line($"[bold]{runbooks.Count} {(runbooks.Count == 1 ? "runbook" : "runbooks")}[/] from {ConsoleOutput.Plain(Relative(folder))}");
        foreach (var runbook in runbooks)
        {
            ConsoleOutput.Line($"  [green]{ConsoleOutput.Plain(runbook.Id),-22}[/] {ConsoleOutput.Plain(runbook.Title)}[grey]{Mode(runbook)}[/]");
        }

        var key = Relative(Path.Combine(settings.DataDirectory, ServerDefaults.KeyFile));
        ConsoleOutput.Line();
        ConsoleOutput.Raw($"  Console   {address}");
        ConsoleOutput.Raw($"  API key   {key}");
        if (settings.Storage == StorageKind.Azure)
        {
            ConsoleOutput.Raw("  Storage   a storage account that other processes may share: any of them answers, and one that dies is followed by the others");
        }

        if (sandbox is not null)
        {
            var whose = sandbox.IsShared ? "the sandbox of another process" : "a sandbox";
            ConsoleOutput.Raw($"  Practice  on: the integrations talk to {whose} on {sandbox.Address}; nothing real is touched");
            ConsoleOutput.Raw($"  Messages  {Relative(settings.OutboxDirectory)}, each with its approval link");
            ConsoleOutput.Line();
            ConsoleOutput.Line("[bold]Try this[/] in another terminal:");
            ConsoleOutput.Raw($"  dotnet run --project src/RunbookServer -- fire hanged-gpu{Options(settings, address)}");
            ConsoleOutput.Line("or, as Azure Monitor does it:");
            ConsoleOutput.Raw($"  curl -sS {address}api/alerts/azure-monitor -H \"X-Api-Key: $(cat {key})\" -d @src/RunbookServer/Samples/hanged-gpu.azure-monitor.json");
        }

        ConsoleOutput.Line();
        ConsoleOutput.Raw("  Ctrl+C stops; open incidents go on at the next start.");
        ConsoleOutput.Line();
    }

    private static string Mode(Runbook runbook) => runbook switch
    {
        { Mode: RunMode.DryRun } => " (dry run)",
        { Mitigation.Approval: null } => " (heals by itself)",
        _ => "",
    };

    private static string Options(ServerSettings settings, Uri address)
    {
        var url = address.Port == ServerDefaults.Port ? "" : $" --url {address}";
        var data = Relative(settings.DataDirectory) == ServerDefaults.DataDirectory ? "" : $" --data {Relative(settings.DataDirectory)}";
        return url + data;
    }

    private static string Relative(string path) => Path.GetRelativePath(".", path) is var relative && relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
}
