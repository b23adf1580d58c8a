using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Runbooks.Integrations.Tests.Support;

/// <summary>Request bodies that are kept beside the tests, in the shape that the vendor documents. <c>UPDATE_CASES=1</c> writes them anew.</summary>
internal static class Golden
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void ShouldBeGolden(this JsonElement actual, string name, [CallerFilePath] string caller = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(caller)!, "golden", $"{name}.json");
        var text = JsonSerializer.Serialize(actual, s_indented).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable("UPDATE_CASES") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        File.Exists(file).ShouldBeTrue($"{file} is missing; UPDATE_CASES=1 writes it.");
        text.ShouldBe(File.ReadAllText(file).ReplaceLineEndings("\n"));
    }
}
