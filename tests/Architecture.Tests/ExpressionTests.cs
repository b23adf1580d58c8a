using System.Reflection;
using System.Text.RegularExpressions;
using TestKit;

namespace Architecture.Tests;

/// <summary>Strangers write what most expressions read, and one that backtracks can be kept busy by a short text for hours. None of ours does.</summary>
public sealed class ExpressionTests
{
    [Theory]
    [MemberData(nameof(LayerTests.Projects), MemberType = typeof(LayerTests))]
    public void GeneratedExpression_CannotBacktrack(string project)
    {
        var types = Assembly.Load(project).GetTypes();
        var expressions = types.SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(method => method.GetCustomAttribute<GeneratedRegexAttribute>() is not null).ToList();

        expressions.Where(method => !method.GetCustomAttribute<GeneratedRegexAttribute>()!.Options.HasFlag(RegexOptions.NonBacktracking))
            .Select(method => $"{method.DeclaringType}.{method.Name}").ShouldBeEmpty();

        // One that is too large for that is refused only when it is first used.
        expressions.ForEach(method => method.Invoke(null, null).ShouldBeAssignableTo<Regex>());
    }

    [Fact]
    public void ExpressionMadeElsewhere_CannotBacktrack()
    {
        var made = from file in Directory.EnumerateFiles(RepositoryRoot.Of("src"), "*.cs", SearchOption.AllDirectories)
                   where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                   from line in File.ReadLines(file)
                   where line.Contains("new Regex(", StringComparison.Ordinal) || (line.Contains("Regex ", StringComparison.Ordinal) && line.Contains("= new(", StringComparison.Ordinal))
                       || new[] { "IsMatch", "Match", "Matches", "Replace", "Split", "Count", "EnumerateMatches" }.Any(call => line.Contains($"Regex.{call}(", StringComparison.Ordinal))
                   select (file, line);

        made.ShouldNotBeEmpty();
        made.Where(found => !found.line.Contains("NonBacktracking", StringComparison.Ordinal)).ShouldBeEmpty();
    }
}
