using System.Net;
using Runbooks.Watchdog;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>A backup that is put back, as people do it: the whole folder, or the database alone.</summary>
public sealed class RestoreTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BackupFromBeforeTheFix_IsNoticedAndNothingIsDoneASecondTime(bool wholeFolder)
    {
        var backup = Directory.CreateTempSubdirectory("runbooks-backup-");
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await CheckAsync(host);
        await host.RestartAsync(whileDown: () => Copy(host.DataFolder, backup.FullName));
        await CheckAsync(host);
        (await host.Client.DecideAsync(id, "approve")).Status.ShouldBe(HttpStatusCode.OK);
        await host.Client.WaitForAsync(id, "resolved");
        (await SandboxView.OfAsync(host.Range)).Deletions.ShouldBe(1);

        await host.RestartAsync(whileDown: () =>
        {
            foreach (var file in Directory.GetFiles(host.DataFolder, "runbooks.db*"))
            {
                File.Delete(file);
            }

            Copy(backup.FullName, host.DataFolder, wholeFolder ? "*" : "runbooks.db*");
        });
        await CheckAsync(host);

        var restored = await host.Client.GetAsync($"api/incidents/{id}");
        restored["state"]!.ToString().ShouldBe("awaitingApproval");
        restored["news"]!.AsArray().ShouldHaveSingleItem()!["text"]!.ToString().ShouldContain("restored from a backup");
        restored["deliveries"]!.AsArray().ShouldContain(delivery => delivery!["key"]!.ToString().StartsWith("page:restored"));
        (await SandboxView.OfAsync(host.Range)).Deletions.ShouldBe(1);
        Directory.GetFiles(Path.Combine(host.DataFolder, "outbox"), "*.json").ShouldContain(file => File.ReadAllText(file).Contains("The records were restored from a backup", StringComparison.Ordinal));
        backup.Delete(recursive: true);
    }

    [Fact]
    public async Task RestartOnTheSameFolder_IsNoRestore()
    {
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await CheckAsync(host);

        await host.RestartAsync();
        await CheckAsync(host);

        (await host.Client.GetAsync($"api/incidents/{id}"))["news"]!.AsArray().ShouldBeEmpty();
    }

    private static Task CheckAsync(RunningHost host) => host.Get<IncidentWatchdog>().CheckAsync(TestContext.Current.CancellationToken);

    private static void Copy(string from, string to, string files = "*")
    {
        foreach (var file in Directory.GetFiles(from, files))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }
    }
}
