using System.Diagnostics;
using TestKit;

namespace Infra.Tests;

/// <summary>Runs one of the scripts with a stand-in for the Azure CLI, which keeps its state in a folder of the test's own.</summary>
sealed class Shell : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("az-");

    private readonly (string Name, string Value)[] _variables;

    /// <param name="az">Body of the stand-in: bash, with $* as it was called and $STATE as its folder.</param>
    public Shell(string az, params (string Name, string Value)[] variables)
    {
        _variables = variables;
        Write("az", $"set -u\nSTATE={_folder.FullName}\necho \"$*\" >> $STATE/calls\n{az}");
        // What scripts build and run has tests of its own.
        Write("dotnet", $"echo \"$*\" >> {_folder.FullName}/programs; exit 0");
    }

    /// <summary>What the CLI was asked for since the last time this was read.</summary>
    public IReadOnlyList<string> TakeCalls()
    {
        var file = Path.Combine(_folder.FullName, "calls");
        var calls = File.Exists(file) ? File.ReadAllLines(file) : [];
        File.Delete(file);
        return calls;
    }

    /// <summary>What the stand-in has kept before the script runs.</summary>
    public void Keep(string name, string content) => File.WriteAllText(Path.Combine(_folder.FullName, name), content);

    public string Kept(string name) => File.ReadAllText(Path.Combine(_folder.FullName, name));

    public async Task<string> RunAsync(string script, params string[] arguments)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The scripts are for bash.");
        var start = new ProcessStartInfo("bash", [RepositoryRoot.Of(script.Split('/')), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["PATH"] = $"{_folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}",
                ["RUNBOOKS_RETRY_SECONDS"] = "0",
            },
        };
        foreach (var (name, value) in _variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, await errors);
        return await output;
    }

    /// <summary>A stand-in for another program.</summary>
    public void Write(string name, string body)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, $"#!/usr/bin/env bash\n{body}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
