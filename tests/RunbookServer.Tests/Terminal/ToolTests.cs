using System.Diagnostics;
using TestKit;

namespace RunbookServer.Tests.Terminal;

/// <summary>The program as a .NET tool: packed from what was built, installed from the file, and run.</summary>
public sealed class ToolTests : IDisposable
{
#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    private readonly string _home = Directory.CreateTempSubdirectory("runbook-tool-").FullName;

    [Fact]
    public async Task PackedAndInstalled_RunsFromAnywhere()
    {
        var (packages, tools) = (Path.Combine(_home, "packages"), Path.Combine(_home, "tools"));
        await DotnetAsync("pack", RepositoryRoot.Of("src", "RunbookServer"), "--no-build", "-m:1", "-c", Configuration, "-o", packages, "-p:Version=0.0.1-test");
        await DotnetAsync("tool", "install", "RunbookServer", "--tool-path", tools, "--source", packages, "--version", "0.0.1-test");

        var output = await RunAsync(Path.Combine(tools, OperatingSystem.IsWindows() ? "runbook.exe" : "runbook"), "validate");

        output.ShouldContain("runbooks are valid");
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private Task<string> DotnetAsync(params string[] arguments) => RunAsync("dotnet", arguments);

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            WorkingDirectory = _home,
            Environment = { ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1" },
        })!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, output);
        return output;
    }
}
