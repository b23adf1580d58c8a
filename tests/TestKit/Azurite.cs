using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace TestKit;

/// <summary>
/// Azure Storage on this machine, as a collection fixture: installed from npm once, started on free ports, in memory,
/// and gone with this process whatever becomes of it.
/// </summary>
public sealed partial class Azurite : IAsyncLifetime
{
    private const string Version = "3.35.0";

    // It ends when its standard input does, and that ends with us: no orphan survives a killed test run.
    private const string Start = "process.stdin.on('end', () => process.exit(0)).resume(); require(process.env.AZURITE);";

    private Process? _process;
    private string? _missing;
    private string _connectionString = "";

    /// <summary>The public development account. Skips the test where there is no Node or npm.</summary>
    public string ConnectionString
    {
        get
        {
            Assert.SkipWhen(_missing is not null, _missing ?? "");
            return _connectionString;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (await NpmPackage.FindAsync("azurite", Version) is not { } folder)
        {
            _missing = "Azurite needs node and npm on the path. Install Node.js 20 or later to run the Azure Storage tests.";
            return;
        }

        var start = new ProcessStartInfo("node") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["AZURITE"] = Path.Combine(folder, "node_modules", "azurite", "dist", "src", "azurite.js");
        foreach (var argument in (string[])["-e", Start, "azurite", "--blobPort", "0", "--queuePort", "0", "--tablePort", "0",
            "--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"])
        {
            start.ArgumentList.Add(argument);
        }

        var addresses = new Dictionary<string, string>();
        var listening = new TaskCompletionSource();
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.ErrorDataReceived += (_, _) => { };
        _process.OutputDataReceived += (_, output) =>
        {
            if (Listening().Match(output.Data ?? "") is { Success: true } match)
            {
                addresses[match.Groups["service"].Value] = match.Groups["address"].Value;
                if (addresses.Count == 3)
                {
                    listening.TrySetResult();
                }
            }
        };
        _process.Exited += (_, _) => listening.TrySetException(new InvalidOperationException("Azurite ended before it listened."));
        _process.Start();
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await listening.Task.WaitAsync(Patience.Limit);
        _connectionString = "AccountName=devstoreaccount1;DefaultEndpointsProtocol=http;"
            + "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
            + string.Concat(addresses.Select(a => $"{a.Key}Endpoint={a.Value}/devstoreaccount1;"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }

    [GeneratedRegex("Azurite (?<service>Blob|Queue|Table) service is successfully listening at (?<address>http://\\S+)")]
    private static partial Regex Listening();
}
