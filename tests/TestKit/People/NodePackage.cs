using System.Diagnostics;
using Shouldly;
using Xunit;

namespace TestKit.People;

/// <summary>A package from npm, installed once on this machine. Tests that need it are skipped only where there is no Node.</summary>
public static class NodePackage
{
    /// <returns>The folder with <c>node_modules</c>.</returns>
    public static async Task<string> InstallAsync(string name, string version)
    {
        Assert.SkipWhen(await VersionOfAsync("npm") is null || await VersionOfAsync("node") is null, $"This test needs {name} from npm. Install Node.js 20 or later.");
        var folder = Path.Combine(Path.GetTempPath(), $"runbooks-{name}-{version}");
        if (Directory.Exists(folder))
        {
            return folder;
        }

        // Beside it, then moved: two test runs may install at once.
        var own = $"{folder}.{Guid.NewGuid():N}";
        var (code, output) = await RunAsync("npm", ["install", "--prefix", own, "--no-audit", "--no-fund", "--no-progress", "--ignore-scripts", $"{name}@{version}"], "");
        code.ShouldBe(0, output);
        try
        {
            Directory.Move(own, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            Directory.Delete(own, recursive: true);
        }

        return folder;
    }

    /// <summary>Runs a script that reads its standard input to the end.</summary>
    public static Task<(int Code, string Output)> RunAsync(string folder, string script, string input) =>
        RunAsync("node", ["-e", script], input, ("NODE_PATH", Path.Combine(folder, "node_modules")));

    private static async Task<string?> VersionOfAsync(string program)
    {
        try
        {
            return await RunAsync(program, ["--version"], "") is (0, var version) ? version : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, string[] arguments, string input, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(await output));
    }
}
